import { type LogTopic, logTopics } from '../workers/log/topics.ts';
import type { Options } from './options.ts';

/** The topics of the log as the options have them. */
export function topicsOf(options: Options): Record<string, LogTopic> {
  return Object.fromEntries(
    Object.entries(logTopics).map(([name, topic]) => [
      name,
      {
        partitions: name === 'dead-letters' ? topic.partitions : options.partitions,
        deleteOlderThanMs: name === 'contest-events' ? options.retentionMs : topic.deleteOlderThanMs,
      },
    ]),
  );
}
