/**
 * Lists of one or two items, of which there are hundreds of thousands: an array grown by `push` reserves room
 * for 17.
 */

/** Above this a list is grown in place, so that a long one is not copied at each step. */
const exactItemsMax = 8;

const none: never[] = [];

/** A list without items that takes no memory: never pushed to, only replaced by what `withItem` answers. */
export function emptyList<T>(): T[] {
  return none;
}

/** The list with the item at its end: a new one of just the room it needs, or the same if long. */
export function withItem<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item];
  if (list.length >= exactItemsMax) {
    list.push(item);
    return list;
  }
  return list.concat([item]);
}

/** Takes the item out, in place. Answers whether it was there. */
export function takeOut<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at < 0) return false;
  list.splice(at, 1);
  return true;
}
