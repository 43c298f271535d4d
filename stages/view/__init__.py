"""Pictures of painted frames, charts of their quality, videos, and one HTML page: arrays in, arrays or bytes out."""
