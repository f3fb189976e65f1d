/** Which match is played when: the bundled ones in turn, under an id of its own each time. */
import { type BundledMatch, bundledMatchTitles } from './bundled.ts';

export interface Play {
  file: BundledMatch;
  /** Id of the match, and of the contest that everyone is in. */
  match: string;
  title: string;
}

const order: readonly BundledMatch[] = ['final-2019', 'final-2021'];

/** `run` counts from 1. */
export function playOf(run: number): Play {
  const file = order[(run - 1) % order.length] as BundledMatch;
  const time = Math.ceil(run / order.length);
  return { file, match: time === 1 ? file : `${file}-${time}`, title: bundledMatchTitles[file] };
}
