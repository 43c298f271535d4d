"""Lays out a street from a seed: houses and hedges, trees, lamps and signs, traffic and people, light."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from paintpipe.stages.synth.furniture import bollard, hedge, house, lamp, sign, tree
from paintpipe.stages.synth.ground import Street
from paintpipe.stages.synth.primitives import Primitive
from paintpipe.stages.synth.route import Route, measure
from paintpipe.stages.synth.settings import BUILDING, CAR, CYCLIST, PEDESTRIAN, POLE, TRAFFIC_SIGN, VEGETATION
from paintpipe.stages.synth.sun import Weather
from paintpipe.stages.synth.vehicles import car, cyclist, pedestrian
from paintpipe.stages.synth.world import Thing, World

Rng = np.random.Generator

_BEHIND_M, _AHEAD_M = -130.0, 190.0
_LANE_M = 1.75
_FASTEST_MPS = 10.0
_SIDES = (-1.0, 1.0)


def build_world(seed: Sequence[int], duration_s: float) -> World:
    """The world of a drive of `duration_s`; the same seed and duration give the same world."""
    rng = np.random.default_rng(list(seed))
    speed = rng.uniform(5.5, 9.0)
    end_m = _AHEAD_M + speed * duration_s
    street = _lay_street(rng, end_m)
    # oncoming traffic starts as far away as it may come from
    far_m = end_m + _FASTEST_MPS * duration_s
    route = measure(street, _BEHIND_M - 60 - _FASTEST_MPS * duration_s, far_m + 120)
    weather = _weather(rng)
    still = [
        thing for side in _SIDES for thing in (*_row(rng, route, side, end_m), *_kerbside(rng, route, side, end_m))
    ]
    still += _side_streets(rng, route)
    actors = [*_parked(rng, route, end_m), *_traffic(rng, speed, far_m), *_people(rng, street, end_m)]
    numbered = [replace(thing, instance=index + 1) for index, thing in enumerate(actors)]
    return World(street, route, (*still, *numbered), weather, -_LANE_M, speed)


def _lay_street(rng: Rng, end_m: float) -> Street:
    waves = [[rng.uniform(6, 12), rng.uniform(45, 60), rng.uniform(0, 2 * np.pi)]]
    waves.append([rng.uniform(0, 1.2), rng.uniform(18, 25), rng.uniform(0, 2 * np.pi)])
    crossings = np.cumsum(rng.uniform(55, 95, size=int((end_m - _BEHIND_M) / 55) + 2)) + _BEHIND_M
    kept = crossings[crossings < end_m + 60]
    return Street(np.array(waves), rng.uniform(6.2, 6.9), rng.uniform(0.10, 0.15), kept, 3.6, 260.0)


def _weather(rng: Rng) -> Weather:
    height, around, clear = rng.uniform(0.45, 1.1), rng.uniform(0, 2 * np.pi), rng.random()
    to_sun = np.array([np.cos(height) * np.cos(around), np.cos(height) * np.sin(around), np.sin(height)])
    warm = np.array([1.0, rng.uniform(0.88, 0.98), rng.uniform(0.75, 0.95)])
    sky = np.array([0.50, 0.62, 0.85]) * clear + np.array([0.72, 0.75, 0.80]) * (1 - clear)
    haze = np.array([0.72, 0.79, 0.88]) * clear + np.array([0.78, 0.80, 0.83]) * (1 - clear)
    gain = rng.uniform(0.85, 1.2)
    direct = gain * (0.35 + 1.25 * clear) * warm
    return Weather(to_sun, direct, gain * (1.15 - 0.45 * clear) * sky, gain * haze, rng.uniform(400, 1000))


def _thing(
    parts: list[Primitive], label: int, place: tuple[float, float], turn_rad: float, speed_mps: float = 0.0
) -> Thing:
    return Thing(tuple(parts), label, *place, turn_rad, speed_mps)


def _clear_of_crossings(route: Route, s_m: float, half_m: float) -> bool:
    x = float(np.interp(s_m, route.s_m, route.x_m))
    crossings = route.street.crossings_m
    return bool(np.abs(crossings - x).min() > route.street.half_crossing_m + half_m)


def _row(rng: Rng, route: Route, side: float, end_m: float) -> list[Thing]:
    """Houses and gardens on one side, set back from the kerb."""
    things, s, street = [], _BEHIND_M, route.street
    set_back = street.half_road_m + rng.uniform(3.2, 4.5)
    facing = 0.0 if side > 0 else np.pi
    while s < end_m + 60:
        width, depth, gap = rng.uniform(8, 17), rng.uniform(8, 12), rng.uniform(2, 7) * (rng.random() < 0.4)
        middle = s + width / 2
        if not _clear_of_crossings(route, middle, width / 2 + 2.5):
            s += 1.0
            continue
        s += width + gap
        if rng.random() < 0.78:
            left = side * (set_back + depth / 2 + rng.uniform(0, 1.5))
            things.append(_thing(house(rng, width - 0.3, depth), BUILDING, (middle, left), facing))
        else:
            row = hedge(rng, width - 1)
            things.append(_thing(row, VEGETATION, (middle, side * (set_back + 0.5)), 0))
            for shift in (-width / 3, width / 3):
                place = (middle + shift, side * (set_back + rng.uniform(3, 7)))
                things.append(_thing(tree(rng), VEGETATION, place, 0))
    return things


def _kerbside(rng: Rng, route: Route, side: float, end_m: float) -> list[Thing]:
    """Trees, lamps, bollards and signs on the sidewalk's outer metre."""
    things, s, street = [], _BEHIND_M + rng.uniform(0, 5), route.street
    place_left, inwards = side * (street.half_road_m + 0.7), np.pi if side > 0 else 0.0
    makers = (tree, lamp, sign, bollard)
    labels = (VEGETATION, POLE, TRAFFIC_SIGN, POLE)
    while s < end_m + 40:
        s += rng.uniform(4.0, 9.0)
        pick = int(rng.choice(4, p=(0.30, 0.23, 0.34, 0.13)))
        if not _clear_of_crossings(route, s, 2.5):
            continue
        # lamps lean over the road; signs look at the traffic of their side
        turn = inwards if labels[pick] != TRAFFIC_SIGN else (np.pi if side > 0 else 0.0)
        things.append(_thing(makers[pick](rng), labels[pick], (s, place_left), turn))
    return things


def _side_streets(rng: Rng, route: Route) -> list[Thing]:
    """Houses and trees that close the view down each side street."""
    things = []
    for x in route.street.crossings_m.tolist():
        for side in _SIDES:
            far = side * rng.uniform(48, 62)
            things.append(_thing(house(rng, 18, 10), BUILDING, (route.beside(x, far), far), 0))
            for along_m, out in ((-8.0, 24.0), (-8.0, 36.0), (8.0, 24.0), (8.0, 36.0)):
                left = side * (out + rng.uniform(-3, 3))
                things.append(_thing(tree(rng), VEGETATION, (route.beside(x + along_m, left), left), 0))
    return things


def _parked(rng: Rng, route: Route, end_m: float) -> list[Thing]:
    things = []
    for side in _SIDES:
        s, turn = _BEHIND_M, np.pi if side > 0 else 0.0
        while s < end_m:
            s += rng.uniform(5.6, 7.0) if rng.random() < 0.6 else rng.uniform(8, 22)
            if _clear_of_crossings(route, s, 5.5):
                left = side * (route.street.half_road_m - 1.05 + rng.uniform(-0.1, 0.05))
                things.append(_thing(car(rng), CAR, (s, left), turn + rng.uniform(-0.03, 0.03)))
    return things


def _traffic(rng: Rng, ego_speed_mps: float, far_m: float) -> list[Thing]:
    """Cars before and behind the ego in its lane, oncoming cars, cyclists on both sides; none ever meets another."""
    things, ahead = [], 14.0
    for _ in range(3):
        ahead += rng.uniform(4, 22)
        things.append(_thing(car(rng), CAR, (ahead, -_LANE_M), 0.0, ego_speed_mps))
        ahead += 8.0
    things.append(_thing(car(rng), CAR, (-rng.uniform(13, 22), -_LANE_M), 0.0, 0.97 * ego_speed_mps))
    oncoming, s = rng.uniform(6, _FASTEST_MPS), rng.uniform(-40, -20)
    while s < far_m:
        things.append(_thing(car(rng), CAR, (s, _LANE_M), np.pi, -oncoming))
        s += rng.uniform(14, 40)
    for side, direction in ((-1.0, 1.0), (1.0, -1.0)):
        pace, s = rng.uniform(3.0, 4.5), rng.uniform(-40, -25)
        while s < far_m:
            turn = 0.0 if direction > 0 else np.pi
            left = side * rng.uniform(3.5, 3.8)
            things.append(_thing(cyclist(rng), CYCLIST, (s, left), turn, direction * pace))
            s += rng.uniform(8, 24)
    return things


def _people(rng: Rng, street: Street, end_m: float) -> list[Thing]:
    """Pedestrians on both sidewalks, most of them walking, some in twos."""
    things = []
    for side in _SIDES:
        s = _BEHIND_M / 2
        while s < end_m:
            s += rng.uniform(3, 14)
            direction = rng.choice((-1.0, 1.0))
            speed = direction * rng.uniform(0.9, 1.6) if rng.random() < 0.8 else 0.0
            turn = (0.0 if direction > 0 else np.pi) + (0.0 if speed else rng.uniform(-1.5, 1.5))
            for beside in (0.0, 0.65) if rng.random() < 0.3 else (0.0,):
                left = side * (street.half_road_m + rng.uniform(1.3, 2.4) + beside)
                things.append(_thing(pedestrian(rng), PEDESTRIAN, (s, left), turn, speed))
    return things
