import { readPlace, writePlace, type Panel, type Place } from '../model/place.js';
import { CODE_FRAGMENT } from '../sign-in/page-code.js';

/** The state of an entry in the browser's history. */
interface EntryState {
  /** True for a panel that was opened on the page: the entry before shows the same without it. */
  readonly isPanel?: boolean;
  /** True once the message of the address was shown: after a reload the reader stays where they scrolled to. */
  readonly isShown?: boolean;
}

/**
 * The address of the page and the browser's history: Back and Forward move between conversations and panels. What a
 * person opens gets an entry of its own; what changes by itself (a conversation gets its session) corrects the present one.
 */
export class Places {
  /** The message of the address, once the person has learned that it is not there. A reload says it again. */
  #missing: string | undefined;
  /** The callbacks that wait until the browser has left a panel, which it does later. */
  #waiting: (() => void)[] | undefined;

  constructor(
    /** Called with the place of the address whenever the browser has come to another. */
    private readonly show: (place: Place) => void,
  ) {
    addEventListener('popstate', () => this.#arrive());
  }

  get current(): Place {
    return readPlace(location.hash);
  }

  /** The message that the address names, unless it was shown or reported as missing before. */
  get message(): string | undefined {
    const { message } = this.current;
    return readState().isShown || message === this.#missing ? undefined : message;
  }

  /** Goes to a place, in an entry of its own. */
  go(place: Place): void {
    if (this.#waiting) return void this.#waiting.push(() => this.go(place));
    this.#missing = undefined;
    const address = writePlace(place);
    if (address !== location.hash) {
      const state: EntryState = place.panel === undefined ? {} : { isPanel: true };
      history.pushState(state, '', address || location.pathname);
    }
    this.show(place);
  }

  /** Opens a panel over what is shown. */
  openPanel(panel: Panel): void {
    const { conversation, surface } = this.current;
    this.go({
      ...(conversation !== undefined && { conversation }),
      ...(surface !== undefined && { surface }),
      panel,
    });
  }

  /** Shows a surface beside the conversation, in an entry of its own, so that Back closes it; or in the present one. */
  openSurface(surface: string, isOwn: boolean): void {
    const { conversation } = this.current;
    const place = { ...(conversation !== undefined && { conversation }), surface };
    if (this.current.surface === surface || this.#waiting) return;
    if (!isOwn || this.current.surface !== undefined) {
      this.#replace(place, readState());
      return this.show(place);
    }
    history.pushState({ isPanel: true } satisfies EntryState, '', writePlace(place));
    this.show(place);
  }

  closeSurface(): void {
    const { surface, ...rest } = this.current;
    if (surface === undefined || this.#waiting) return;
    if (!readState().isPanel) {
      this.#replace(rest, readState());
      return this.show(rest);
    }
    this.#waiting = [];
    history.back();
  }

  /** Leaves the panel, as Back would. */
  closePanel(): void {
    const { panel, ...rest } = this.current;
    if (panel === undefined || this.#waiting) return;
    if (!readState().isPanel) return this.#replace(rest, {});
    this.#waiting = [];
    history.back();
  }

  /** Handles that the message of the address was shown. */
  messageShown(): void {
    this.#replace(this.current, { ...readState(), isShown: true });
  }

  /** Handles that the message of the address is not in its conversation. */
  messageMissing(): void {
    this.#missing = this.current.message;
  }

  /** Names the conversation that is shown in the present entry. Its message stays until it was shown. */
  correct(conversation: string | undefined): void {
    const { current, message } = this;
    if (this.#waiting) return;
    const { panel } = current;
    const isNamed = current.conversation === conversation;
    const { surface } = current;
    const others = {
      ...(message !== undefined && { message }),
      ...(surface !== undefined && { surface }),
      ...(panel && { panel }),
    };
    const place = isNamed ? current : { ...(conversation !== undefined && { conversation }), ...others };
    if (writePlace(place) !== location.hash) this.#replace(place, readState());
  }

  /** Handles that the person has left: the entry names nothing of theirs. */
  forget(): void {
    this.#replace({}, {});
  }

  #arrive(): void {
    // A link that signs in was opened in this tab: it is taken as the page starts.
    if (CODE_FRAGMENT.test(location.hash)) return location.reload();
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#missing = undefined;
    // Whatever else the address holds, such as a token that was pasted there, does not stay in the history.
    if (writePlace(this.current) !== location.hash) this.#replace(this.current, readState());
    this.show(this.current);
    for (const act of waiting) act();
  }

  #replace(place: Place, state: EntryState): void {
    history.replaceState(state, '', writePlace(place) || location.pathname);
  }
}

function readState(): EntryState {
  return (history.state as EntryState | null) ?? {};
}
