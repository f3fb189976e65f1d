/** All promises that can resolve by themselves have done so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
