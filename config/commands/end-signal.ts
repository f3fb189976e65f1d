import { exitCodes } from './command-error.ts';

export interface EndSignal {
  readonly asked: boolean;
  readonly signal: Promise<void>;
}

/** The first SIGTERM or SIGINT; a second one ends the process at once, after all of `atOnce`. */
export function endSignal(atOnce: readonly (() => void)[] = []): EndSignal {
  let asked = false;
  const signal = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (asked) {
          for (const act of atOnce) act();
          process.exit(exitCodes.failed);
        }
        asked = true;
        resolve();
      });
    }
  });
  return {
    get asked() {
      return asked;
    },
    signal,
  };
}
