# Prints the scalars of an event folder as TensorBoard reads them, one line each: tag, step, value.
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
events.Reload()
for tag in sorted(events.Tags()["scalars"]):
    for scalar in events.Scalars(tag):
        print(f"{tag}|{scalar.step}|{scalar.value:.6g}")
