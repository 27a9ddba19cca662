"""Pieces that screens are made of; they render what they are given and own nothing."""
