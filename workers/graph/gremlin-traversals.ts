import gremlin, { type Bytecode, type Start, type Traversal } from 'gremlin';
import type { GraphEdge, PairState } from './graph.ts';
import {
  blockId,
  decodeEnded,
  encodeEnded,
  encodeStamps,
  endedId,
  followId,
  hourId,
  type StoredState,
  userId,
} from './gremlin-states.ts';
import { Typed } from './gremlin-wire.ts';

const { GraphTraversalSource, TraversalStrategies, P, t, merge, direction, cardinality, statics } =
  gremlin.process;
/** Only writes traversals down; connections are elsewhere. */
const g: Start = new GraphTraversalSource(new gremlin.structure.Graph(), new TraversalStrategies());

/**
 * How edges are found: by ids given to them, or, in stores that number edges themselves, by a property `key`
 * with the same text, which must be indexed there.
 */
export type EdgeIds = 'given' | 'key';

/** Answers at once wherever a traversal can be answered. */
export function probe(): Bytecode {
  return g.inject(0).getBytecode();
}

/** Vertices of users that are not there yet. */
export function mergeUsers(users: readonly string[]): Bytecode {
  let steps: Start = g;
  for (const user of users) steps = mergeVertex(steps, userId(user), 'user');
  return (steps as Traversal).count().getBytecode();
}

/**
 * Writes each state whole: first what it is now, then away with what it was. In one request, so in stores
 * with transactions it is there whole or not at all; in others, a follow that should have gone is still there
 * where it was cut off in between, which reads as before the request; and the request is made again.
 */
export function writeStates(states: readonly PairState[], edgeIds: EdgeIds, hourOf: HourOf): Bytecode {
  let steps: Start = g;
  const edges: string[] = [];
  const vertices: string[] = [];
  for (const hour of hoursOf(states, hourOf)) steps = mergeVertex(steps, hourId(hour), 'ended_hour');
  for (const state of states) {
    const { from, to, following, blocking } = state;
    if (following) steps = mergeEdge(steps, 'follow', followId(from, to), state, edgeIds);
    else edges.push(followId(from, to));
    if (blocking) steps = mergeEdge(steps, 'block', blockId(from, to), state, edgeIds);
    else edges.push(blockId(from, to));
    if (following || blocking) vertices.push(endedId(from, to));
    else steps = mergeEnded(steps, state, hourOf(state));
  }
  let written = steps as Traversal;
  if (edges.length > 0) written = written.sideEffect(findEdges(statics, edges, edgeIds).drop());
  if (vertices.length > 0) written = written.sideEffect(findVertices(statics, vertices).drop());
  return written.count().getBytecode();
}

/** In which hour since the epoch a state may be forgotten in which nothing stands. */
export type HourOf = (state: PairState) => number;

function hoursOf(states: readonly PairState[], hourOf: HourOf): Set<number> {
  const hours = new Set<number>();
  for (const state of states) if (!state.following && !state.blocking) hours.add(hourOf(state));
  return hours;
}

function mergeVertex(steps: Start, id: string, label: string): Traversal {
  return steps.mergeV(new Map([[t.id, id]])).option(merge.onCreate, new Map([[t.label, label]]));
}

function mergeEdge(steps: Start, label: string, id: string, state: PairState, edgeIds: EdgeIds): Traversal {
  const properties: [unknown, unknown][] = [
    ['affinity', new Typed('double', state.affinity)],
    ['since', new Typed('long', state.since)],
    ['stamps', encodeStamps(state)],
  ];
  const match = new Map<unknown, unknown>([[edgeIds === 'given' ? t.id : 'key', id]]);
  const created = new Map<unknown, unknown>([
    [t.label, label],
    [direction.out, userId(state.from)],
    [direction.in, userId(state.to)],
    ...properties,
  ]);
  return steps.mergeE(match).option(merge.onCreate, created).option(merge.onMatch, new Map(properties));
}

function mergeEnded(steps: Start, state: PairState, hour: number): Traversal {
  const id = endedId(state.from, state.to);
  const until = new Map<unknown, unknown>([
    [t.label, 'until'],
    [direction.out, id],
    [direction.in, hourId(hour)],
  ]);
  return mergeVertex(steps, id, 'ended')
    .property(cardinality.single, 'state', encodeEnded(state))
    .mergeE(until);
}

function findEdges(start: Start, ids: readonly string[], edgeIds: EdgeIds): Traversal {
  mustBeSome(ids);
  return edgeIds === 'given' ? start.E(...ids) : start.E().has('key', P.within(ids));
}

function findVertices(start: Start, ids: readonly string[]): Traversal {
  mustBeSome(ids);
  return start.V(...ids);
}

/** None would mean all there are. */
function mustBeSome(ids: readonly unknown[]): void {
  if (ids.length === 0) throw new Error('a traversal was asked for without ids');
}

/** Edges of these ids that are there; rows for `storedOf`. */
export function readEdges(ids: readonly string[], edgeIds: EdgeIds): Bytecode {
  return findEdges(g, ids, edgeIds)
    .project('id', 'affinity', 'since', 'stamps')
    .by(edgeIds === 'given' ? t.id : 'key')
    .by('affinity')
    .by('since')
    .by('stamps')
    .getBytecode();
}

/** Vertices `ended` of these ids that are there; rows for `storedOf`. */
export function readEnded(ids: readonly string[]): Bytecode {
  return findVertices(g, ids).project('id', 'state').by(t.id).by('state').getBytecode();
}

export function storedOf(rows: readonly unknown[], into: Map<string, StoredState>): void {
  for (const row of rows as ReadonlyMap<string, unknown>[]) {
    const state = row.get('state');
    const stored =
      state === undefined
        ? {
            affinity: Number(row.get('affinity')),
            since: Number(row.get('since')),
            stamps: String(row.get('stamps')),
          }
        : decodeEnded(String(state));
    into.set(String(row.get('id')), stored);
  }
}

/** Follows of a user in byte order of the other's id; rows for `edgesOf`. Looks at all of them. */
export function listFollows(
  user: string,
  list: 'followers' | 'following',
  after: string | null,
  limit: number,
): Bytecode {
  const at = g.V(userId(user));
  const other = () => (list === 'followers' ? statics.outV() : statics.inV()).id();
  const edges = list === 'followers' ? at.inE('follow') : at.outE('follow');
  const further = after === null ? edges : edges.where(other().is(P.gt(userId(after))));
  return further
    .order()
    .by(other())
    .limit(limit)
    .project('other', 'affinity')
    .by(other())
    .by('affinity')
    .getBytecode();
}

export function edgesOf(rows: readonly unknown[]): GraphEdge[] {
  const prefix = userId('').length;
  return (rows as ReadonlyMap<string, unknown>[]).map((row) => ({
    other: String(row.get('other')).slice(prefix),
    affinity: Number(row.get('affinity')),
  }));
}

/** Which of these hours anything points to; rows are ids. */
export function findHours(hours: readonly number[]): Bytecode {
  return findVertices(g, hours.map(hourId)).id().getBytecode();
}

/** Some of what points to an hour; rows for `endingsOf`. */
export function findEndings(hour: string, limit: number): Bytecode {
  return g
    .V(hour)
    .in_('until')
    .limit(limit)
    .project('id', 'hours')
    .by(t.id)
    .by(statics.outE('until').count())
    .getBytecode();
}

/** `isLater`: it points to another hour too, which is a later one, since earlier ones are emptied before. */
export function endingsOf(rows: readonly unknown[]): { id: string; isLater: boolean }[] {
  return (rows as ReadonlyMap<string, unknown>[]).map((row) => ({
    id: String(row.get('id')),
    isLater: Number(row.get('hours')) > 1,
  }));
}

/** Forgets them, unless one was touched since and points to another hour. */
export function forgetEndings(ids: readonly string[], hour: string): Bytecode {
  const another = statics.outE('until').inV().id().is(P.neq(hour));
  return findVertices(g, ids).not(another).drop().getBytecode();
}

/** They have a later hour: this one does not concern them any more. */
export function letGo(ids: readonly string[], hour: string): Bytecode {
  return findVertices(g, ids)
    .outE('until')
    .where(statics.inV().id().is(P.eq(hour)))
    .drop()
    .getBytecode();
}

export function dropHour(hour: string): Bytecode {
  return g.V(hour).drop().getBytecode();
}
