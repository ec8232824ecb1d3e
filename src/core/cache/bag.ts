/** A member of a {@link Bag}. */
export interface Placed {
  /** Its index in the bag. Only the bag changes it. */
  place: number;
}

/**
 * A set without order whose members know their place, for members that come and go many times a second. A map or a set
 * would let their garbage pile up: each time that V8 copies its table, the old table keeps all members of that moment, and
 * once the map itself is old, so are its tables, which only a major collection frees.
 */
export class Bag<T extends Placed> {
  private readonly members: T[] = [];

  get size(): number {
    return this.members.length;
  }

  add(member: T): void {
    member.place = this.members.push(member) - 1;
  }

  /** Removes a member, which must be in this bag. */
  delete(member: T): void {
    const last = this.members.pop();
    if (last && last !== member) {
      this.members[member.place] = last;
      last.place = member.place;
    }
    member.place = -1;
  }

  /** Returns the members, which may come and go while they are looked at. */
  list(): T[] {
    return [...this.members];
  }

  find(matches: (member: T) => boolean): T | undefined {
    return this.members.find(matches);
  }
}
