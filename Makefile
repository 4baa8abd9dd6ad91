# One act, one command, the same here and in CI; `make` alone lists them. What each does: tools/acts.py.
ACTS := help lab test tour lint floors types js unit notebooks browser soak compile environments wheel bench clean distclean
.PHONY: $(ACTS)
.NOTPARALLEL:
.DEFAULT_GOAL := help

$(ACTS): ; @sh tools/with_python.sh tools/steps.py $@
