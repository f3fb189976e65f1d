/**
 * Who of a group has which partitions. Each member keeps what it has, within its share; what it has beyond is
 * given to nobody until it says that it has given it up. So a partition is never with two members, and as few
 * as possible move.
 */
export interface Claim {
  member: string;
  /** Has them and goes on with them. */
  held: readonly number[];
  /** Was told to give them up, and has not done so yet. */
  leaving: readonly number[];
}

/** For each member the partitions it has from now on. Every member decides the same. */
export function shareOut(claims: readonly Claim[], partitions: number): Map<string, number[]> {
  const members = [...claims].sort((a, b) => (a.member < b.member ? -1 : 1));
  const shares = new Map<string, number[]>(members.map(({ member }) => [member, []]));
  if (members.length === 0) return shares;
  const taken = new Set(members.flatMap(({ leaving }) => [...leaving]));
  const share = Math.floor(partitions / members.length);
  let oneMore = partitions - share * members.length;
  for (const { member, held } of members) {
    const kept = shares.get(member)!;
    for (const partition of [...held].sort((a, b) => a - b)) {
      if (partition >= partitions || taken.has(partition)) continue;
      taken.add(partition);
      if (kept.length < share) kept.push(partition);
      else if (kept.length === share && oneMore > 0) {
        oneMore--;
        kept.push(partition);
      }
    }
  }
  for (let partition = 0; partition < partitions; partition++) {
    if (taken.has(partition)) continue;
    let poorest = members[0]!.member;
    for (const { member } of members) {
      if (shares.get(member)!.length < shares.get(poorest)!.length) poorest = member;
    }
    shares.get(poorest)!.push(partition);
  }
  return shares;
}
