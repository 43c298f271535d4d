"""Numbers as the report writes them; counts are `chart_parts.count_text`."""

from paintpipe.stages.view.chart_parts import count_text


def percent(share: float | None) -> str:
    """0.1234 → `12.3 %`, nothing → `–`."""
    return "–" if share is None else f"{100 * share:.1f} %"


def three_digits(value: float | None) -> str:
    """0.12345 → `0.123`, nothing → `–`."""
    return "–" if value is None else f"{value:.3f}"


def rate(value: float) -> str:
    """0.7734 → `0.773`, 33700 → `33.7 k`."""
    return f"{value:.3g}" if value < 1000 else count_text(round(value))


def format_size(num_bytes: int) -> str:
    """950 → `950 B`, 5600000 → `5.6 MB`."""
    number, _, unit = count_text(num_bytes).partition(" ")
    return f"{number} {unit}B"


def format_duration(seconds: float) -> str:
    """75.2 → `1 min 15 s`, 7.76 → `7.8 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds) // 60
    if minutes < 60:
        return f"{minutes} min {round(seconds) % 60} s"
    return f"{minutes // 60} h {minutes % 60} min"
