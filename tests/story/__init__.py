"""The program as a person sees it: in a real terminal, by keys alone."""
