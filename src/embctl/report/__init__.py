"""The only writers: terminal view, plain lines, JSON envelope, JSON lines."""
