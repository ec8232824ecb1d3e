/** The most pixels of a frame, and the part of the window. */
const MAX_HEIGHT = 2_000;
const MAX_PART = 0.8;
/** Changes within a second. */
const MAX_CHANGES = 10;
/** Changes in a row that each make the frame higher: a page that is always higher than its frame would never end. */
const MAX_GROWTHS = 20;

/** The height of a frame, as the page in it asks for it. */
export class FrameHeight {
  #changes: number[] = [];
  #growths = 0;
  #height = 0;

  constructor(
    private readonly find: () => HTMLElement | undefined,
    /** Milliseconds since an arbitrary moment. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Handles that another page is in the frame. */
  reset(): void {
    this.#changes = [];
    this.#growths = 0;
    this.#height = 0;
  }

  /** Takes a height in pixels; anything else is dropped. */
  set(height: unknown): void {
    if (typeof height !== 'number' || !Number.isInteger(height) || height <= 0) return;
    const now = this.now();
    this.#changes = this.#changes.filter((at) => now - at < 1_000);
    if (this.#changes.length >= MAX_CHANGES || this.#growths >= MAX_GROWTHS) return;
    const allowed = Math.min(height, MAX_HEIGHT, Math.floor(innerHeight * MAX_PART));
    if (allowed === this.#height) return;
    this.#changes.push(now);
    this.#growths = allowed > this.#height ? this.#growths + 1 : 0;
    this.#height = allowed;
    const frame = this.find();
    if (frame) frame.style.height = `${allowed}px`;
  }
}
