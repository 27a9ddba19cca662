"""tuner-tui: find the launch flags that make an LLM inference engine fastest for your traffic."""

__version__ = "0.1.0"
