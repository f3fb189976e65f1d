/**
 * What is used of the client library, which ships no types. The steps named here are all that the adapter may
 * send: each is documented for Neptune and for TinkerPop 3.7 (docs/decisions/0005-graph-on-gremlin.md).
 */
declare module 'gremlin' {
  namespace gremlin {
    interface EnumValue {
      readonly typeName: string;
      readonly elementName: string;
    }
    /** A traversal as it goes over the wire. */
    interface Bytecode {
      readonly stepInstructions: readonly unknown[][];
    }
    type By = EnumValue | string | Traversal;
    interface Predicate {
      readonly operator: string;
    }
    interface Start {
      V(...ids: string[]): Traversal;
      E(...ids: string[]): Traversal;
      inject(value: number): Traversal;
      mergeV(match: ReadonlyMap<unknown, unknown>): Traversal;
      mergeE(match: ReadonlyMap<unknown, unknown>): Traversal;
    }
    interface Traversal extends Start {
      option(event: EnumValue, values: ReadonlyMap<unknown, unknown>): Traversal;
      property(cardinality: EnumValue, key: string, value: unknown): Traversal;
      has(key: string, values: Predicate): Traversal;
      is(predicate: Predicate): Traversal;
      where(filter: Traversal): Traversal;
      not(filter: Traversal): Traversal;
      id(): Traversal;
      in_(label: string): Traversal;
      inE(label: string): Traversal;
      outE(label: string): Traversal;
      inV(): Traversal;
      outV(): Traversal;
      order(): Traversal;
      by(what: By): Traversal;
      limit(count: number): Traversal;
      project(...keys: string[]): Traversal;
      sideEffect(child: Traversal): Traversal;
      count(): Traversal;
      drop(): Traversal;
      getBytecode(): Bytecode;
    }
    interface Process {
      GraphTraversalSource: new (graph: object, strategies: object) => Start;
      TraversalStrategies: new () => object;
      P: {
        gt(value: string): Predicate;
        eq(value: unknown): Predicate;
        neq(value: unknown): Predicate;
        within(values: readonly string[]): Predicate;
      };
      t: Record<'id' | 'label', EnumValue>;
      merge: Record<'onCreate' | 'onMatch', EnumValue>;
      direction: Record<'out' | 'in', EnumValue>;
      cardinality: Record<'single', EnumValue>;
      /** Beginnings of child traversals. */
      statics: Start & Pick<Traversal, 'inV' | 'outV' | 'inE' | 'outE'>;
    }
  }
  const gremlin: {
    process: gremlin.Process;
    structure: { Graph: new () => object };
    /** For tests only, which also send scripts. */
    driver: {
      Client: new (
        url: string,
      ) => { submit(script: string): Promise<{ toArray(): unknown[] }>; close(): Promise<void> };
    };
  };
  export = gremlin;
}

declare module 'gremlin/lib/structure/io/binary/GraphBinary.js' {
  interface Response {
    requestId: string | null;
    status: { code: number; message: string | null; attributes: ReadonlyMap<string, unknown> };
    result: { data: unknown };
  }
  interface Serializer {
    canBeUsedFor(value: unknown): boolean;
    serialize(value: unknown, fullyQualified?: boolean): Buffer;
  }
  const binary: {
    graphBinaryWriter: {
      writeRequest(request: { requestId: string; op: string; processor: string; args: object }): Buffer;
    };
    graphBinaryReader: { readResponse(bytes: Buffer): Response };
    /** The first that can be used for a value writes it. */
    anySerializer: { serializers: Serializer[] };
    doubleSerializer: Serializer;
    longSerializer: Serializer;
  };
  export = binary;
}
