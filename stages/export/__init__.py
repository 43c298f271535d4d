"""From a painted frame to the files that detectors, validators and viewers read: one module or folder a target."""
