/** What a {@link LaneHeap} keeps on its members, so that each can be found and taken out from its middle. */
export interface HeapSeat {
  /** The smallest comes first. Must not change while it is in the heap. */
  readonly key: number;
  place: number;
  heap: unknown;
}

/** A binary heap that knows where its members sit: adding and deleting any of them takes log(n) steps. */
export class LaneHeap<L extends HeapSeat> {
  private readonly seats: L[] = [];

  get first(): L | undefined {
    return this.seats[0];
  }

  add(member: L): void {
    member.heap = this;
    this.seats.push(member);
    this.rise(member, this.seats.length - 1);
  }

  delete(member: L): void {
    const place = member.place;
    const last = this.seats.pop()!;
    member.heap = undefined;
    member.place = -1;
    if (last === member) return;
    this.rise(last, place);
    this.sink(last, last.place);
  }

  private rise(member: L, place: number): void {
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.seats[above]!;
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
      if (below + 1 < this.seats.length && this.seats[below + 1]!.key < this.seats[below]!.key) below++;
      const child = this.seats[below]!;
      if (member.key <= child.key) break;
      this.seat(child, place);
      place = below;
    }
    this.seat(member, place);
  }

  private seat(member: L, place: number): void {
    this.seats[place] = member;
    member.place = place;
  }
}
