"""Deferral of Ctrl-C: it does not come between printing an event and storing its position."""

import os
import signal

import pytest
from openintent.cli.interrupts import Interrupts


def press():
    os.kill(os.getpid(), signal.SIGINT)


def work(interrupts, presses):
    """Return the steps done of a deferred block that is interrupted so often."""
    done = []
    with pytest.raises(KeyboardInterrupt):
        _work(interrupts, presses, done)
    return done


def _work(interrupts, presses, done):
    with interrupts.deferred():
        for _ in range(presses):
            press()
        done.append("the rest")


def test_interrupt_is_deferred_to_the_end_of_the_block():
    with Interrupts() as interrupts:
        assert work(interrupts, presses=1) == ["the rest"]


def test_second_interrupt_is_not_deferred():
    with Interrupts() as interrupts:
        assert work(interrupts, presses=2) == []


def test_interrupt_outside_a_deferred_block_is_immediate():
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), Interrupts():
        press()

    assert signal.getsignal(signal.SIGINT) is before
