"""CenterPoint (tianweiy/CenterPoint) with painted points, and the form of MVP (tianweiy/MVP) that its loader reads."""
