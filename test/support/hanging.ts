import type { Lab } from '../../src/lab/lab.js';
import { PATIENCE_MS } from '../../src/lab/patience.js';
import type { BackendCall, SimulatedOptions } from './simulated-backend.js';

/** Calls of one kind that hang from `begin` to `end`, as on machines that are slow to do what they are told. */
export function hanging(call: BackendCall) {
  let gate: Gate | null = null;
  let stuck = new Gate();
  const before: SimulatedOptions['before'] = async (name) => {
    if (name !== call || !gate) return;
    stuck.open();
    await gate.opened;
  };
  return {
    before,
    begin() {
      gate = new Gate();
    },
    end() {
      gate?.open();
      gate = null;
      stuck = new Gate();
    },
    /** A lab whose patience with what hangs costs time on the clock only. */
    impatient: (lab: Lab): Lab => ({
      ...lab,
      within: (milliseconds, work) =>
        milliseconds > PATIENCE_MS ? work : Promise.race([work, stuck.opened.then(() => lab.sleep(milliseconds))]),
    }),
  };
}

class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}
