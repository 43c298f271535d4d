"""OpenPCDet's layout of a custom dataset, with painted points."""
