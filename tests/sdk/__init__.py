"""Tests of the package `openintent`, most of them once for each of the two clients."""
