import type { WebComponentImplementation } from '@a2ui/web_core/v0_9';
import { A2uiLitModal, A2uiLitTabs, A2uiModal, A2uiTabs } from '@a2ui/web_core/v0_9/basic_catalog';
import { texts } from '../../texts.js';

/** Tabs that say which one is shown. */
class Tabs extends A2uiLitTabs {
  override updated(): void {
    this.querySelector('.a2ui-tab-bar')?.setAttribute('role', 'tablist');
    for (const tab of this.querySelectorAll(':scope > .a2ui-tabs > .a2ui-tab-bar > button')) {
      tab.setAttribute('type', 'button');
      tab.setAttribute('role', 'tab');
      tab.setAttribute('aria-selected', String(tab.classList.contains('active')));
    }
    const shown = this.querySelector(':scope > .a2ui-tabs > .a2ui-tab-bar > .active');
    const panel = this.querySelector(':scope > .a2ui-tabs > .a2ui-tab-content');
    panel?.setAttribute('role', 'tabpanel');
    panel?.setAttribute('aria-label', shown?.textContent.trim() ?? '');
  }
}

/** A dialog that has a name, takes the focus, and that Escape closes. */
class Modal extends A2uiLitModal {
  private returnTo: HTMLElement | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener('keydown', (event) => this.press(event));
  }

  override updated(): void {
    const dialog = this.querySelector<HTMLElement>('[role="dialog"]');
    if (!dialog) {
      this.returnTo?.focus();
      this.returnTo = null;
    } else if (!this.returnTo) {
      dialog.setAttribute('aria-label', texts.canvas.dialog);
      this.returnTo = this.querySelector<HTMLElement>('.a2ui-modal-trigger button');
      this.querySelector<HTMLElement>('.a2ui-modal-close')?.focus();
    }
  }

  private press(event: KeyboardEvent): void {
    const close = this.querySelector<HTMLElement>('.a2ui-modal-close');
    if (event.key !== 'Escape' || !close) return;
    event.preventDefault();
    event.stopPropagation();
    close.click();
  }
}

customElements.define('canvas-tabs', Tabs);
customElements.define('canvas-modal', Modal);

/** The components that hold others, as parts of a catalogue. */
export const places: readonly WebComponentImplementation[] = [
  { ...A2uiTabs, tagName: 'canvas-tabs' },
  { ...A2uiModal, tagName: 'canvas-modal' },
];
