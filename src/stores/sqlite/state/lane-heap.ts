/** The fields that a {@link LaneHeap} needs on its members, so that any member can be removed. */
export interface HeapSeat {
  /** The smallest key comes first. Must not change while the member is in the heap. */
  readonly key: number;
  place: number;
}

/** A binary heap whose members know their place: adding and deleting any member takes O(log n). */
export class LaneHeap<L extends HeapSeat> {
  private readonly seats: L[] = [];

  get first(): L | undefined {
    return this.seats[0];
  }

  add(member: L): void {
    this.rise(member, this.seats.length);
  }

  /** Removes a member, which must be in this heap. */
  delete(member: L): void {
    const last = this.seats.pop();
    if (last && last !== member) {
      this.rise(last, member.place);
      this.sink(last, last.place);
    }
    member.place = -1;
  }

  private rise(member: L, place: number): void {
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.at(above);
      if (parent.key <= member.key) break;
      this.seat(parent, place);
      place = above;
    }
    this.seat(member, place);
  }

  private sink(member: L, place: number): void {
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.seats.length) break;
      if (below + 1 < this.seats.length && this.at(below + 1).key < this.at(below).key) below++;
      const child = this.at(below);
      if (member.key <= child.key) break;
      this.seat(child, place);
      place = below;
    }
    this.seat(member, place);
  }

  /** Returns the member at a place that is known to be occupied. */
  private at(place: number): L {
    return this.seats[place] as L;
  }

  private seat(member: L, place: number): void {
    this.seats[place] = member;
    member.place = place;
  }
}
