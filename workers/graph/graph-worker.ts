import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Clock } from '../../channels/clock.ts';
import { type CommandStatus, commandStatuses, putDecided } from '../../channels/lookup/command-status.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import { parseRecord } from '../../proto/parse-record.ts';
import type { GraphChange } from '../../proto/records.ts';
import type { Batch, Log, NewRecord } from '../log/log.ts';
import { takeRecords } from '../log/take-records.ts';
import { startWorker, type Worker } from '../log/worker.ts';
import { foldCommands, type LoggedCommand, pairsOf } from './fold-commands.ts';
import type { Graph } from './graph.ts';

export interface GraphWorkerParts {
  log: Log;
  graph: Graph;
  lookup: Lookup;
  clock: Clock;
  options: GraphWorkerOptions;
  logger: Logger;
  registry: Registry;
}
export interface GraphWorkerOptions {
  /**
   * Commands that share one read and one write of the graph: enough to hide a round trip, some milliseconds
   * of work. Few enough that those of all partitions are through in far less than they have: a server
   * without transactions takes one write at a time, 1,000 commands a second.
   */
  graphBatchMax: number;
}
export const graphWorkerDefaults: GraphWorkerOptions = { graphBatchMax: 500 };
/**
 * For all that a batch reads from and writes to the graph. A batch begins within the first quarter of its
 * member's session (10 s), so it has ended before another worker may have taken the partition: else a write
 * that was late would replace what that one wrote.
 */
const batchWithinMs = 7_000;

/**
 * The graph worker: `graph-commands` in; the graph, what became of each command, and `graph-changes` out.
 *
 * What was decided is kept first, then the graph is written, then changes and position are committed in one
 * transaction. A crash in between repeats the batch: decisions kept stand, and commands that the graph has
 * already tell what stands, so the changes come out either way.
 */
export async function createGraphWorker(parts: GraphWorkerParts): Promise<Worker> {
  const { log, graph, lookup, clock, options, logger, registry } = parts;
  const decided = new Counter({
    name: 'rankcast_graph_commands_total',
    help: 'Graph commands by what became of them: applied, the code of the refusal, or malformed.',
    labelNames: ['outcome'],
    registers: [registry],
  });

  async function onBatch(batch: Batch): Promise<void> {
    const endsAt = performance.now() + batchWithinMs;
    const { records, letters } = takeRecords(batch, ({ value, timestamp }) =>
      parseRecord('graph-commands', value, timestamp),
    );
    const commands = records.map(({ record, logged }) => ({ command: record, loggedAt: logged.timestamp }));
    const before = await graph.read(pairsOf(commands), endsAt);
    const { outcomes, states, changes } = foldCommands(commands, before);
    await keepDecisions(lookup, commands, outcomes);
    await graph.write(states, endsAt);
    await batch.commit([...letters, ...changes.map(changeOutput)]);
    if (letters.length > 0) {
      decided.inc({ outcome: 'malformed' }, letters.length);
      logger.warn({ partition: batch.partition, count: letters.length }, 'records are no graph commands');
    }
    for (const outcome of outcomes) {
      decided.inc({ outcome: outcome.state === 'rejected' ? outcome.code : outcome.state });
    }
  }

  const { graphBatchMax: batchMax } = options;
  return startWorker({
    name: 'graph',
    topic: 'graph-commands',
    batchMax,
    log,
    clock,
    logger,
    registry,
    onBatch,
  });
}

/** Ids asked for at once: what a Lookup takes. */
const lookupKeysMax = 500;

/** The first decision about an id stands; a repeat may find the graph changed and come out differently. */
async function keepDecisions(
  lookup: Lookup,
  commands: readonly LoggedCommand[],
  outcomes: readonly CommandStatus[],
): Promise<void> {
  const fresh = new Map<string, CommandStatus>();
  commands.forEach(({ command }, i) => {
    if (!fresh.has(command.id)) fresh.set(command.id, outcomes[i]!);
  });
  const ids = [...fresh.keys()];
  const puts: Promise<void>[] = [];
  for (let at = 0; at < ids.length; at += lookupKeysMax) {
    const some = ids.slice(at, at + lookupKeysMax);
    const known = await commandStatuses(lookup, some);
    some.forEach((id, i) => {
      if (known[i] === null || known[i]?.state === 'pending')
        puts.push(putDecided(lookup, id, fresh.get(id)!));
    });
  }
  await Promise.all(puts);
}

function changeOutput(change: GraphChange): NewRecord & { topic: string } {
  return { topic: 'graph-changes', key: change.user, value: Buffer.from(JSON.stringify(change)) };
}
