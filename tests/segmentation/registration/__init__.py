"""Tests of registration, on forms that are drawn and distorted while they run."""
