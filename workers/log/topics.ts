/** A topic of the log, whatever keeps it. */
export interface LogTopic {
  partitions: number;
  /** Records older than this are deleted; 0: none. */
  deleteOlderThanMs: number;
}

const dayMs = 86_400_000;
/** Partitions enough for a process of two to four cores; retention as the design states for each topic. */
export const logTopics: Readonly<Record<string, LogTopic>> = {
  'contest-events': { partitions: 4, deleteOlderThanMs: 30 * dayMs },
  'graph-commands': { partitions: 4, deleteOlderThanMs: 30 * dayMs },
  'graph-changes': { partitions: 4, deleteOlderThanMs: 30 * dayMs },
  // A profile is the last record of its user, however old.
  profiles: { partitions: 4, deleteOlderThanMs: 0 },
  'dead-letters': { partitions: 1, deleteOlderThanMs: 30 * dayMs },
};
