"""What tests, benchmarks and examples share; none of it is installed with the package."""
