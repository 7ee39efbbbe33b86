"""What this build is for; made by CMake."""

TORCH: str
