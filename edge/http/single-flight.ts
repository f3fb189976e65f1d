/** Identical reads in flight share one fetch; nothing is kept once it has answered. */
export type SingleFlight = <T>(key: string, fetch: () => Promise<T>) => Promise<T>;

export function createSingleFlight(): SingleFlight {
  const flying = new Map<string, Promise<unknown>>();
  return <T>(key: string, fetch: () => Promise<T>): Promise<T> => {
    const found = flying.get(key) as Promise<T> | undefined;
    if (found !== undefined) return found;
    const flight = fetch().finally(() => flying.delete(key));
    flying.set(key, flight);
    return flight;
  };
}
