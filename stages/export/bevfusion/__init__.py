"""BEVFusion (mit-han-lab/bevfusion) with painted points: its `load_augmented: pointpainting`."""
