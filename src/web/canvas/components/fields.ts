import type { WebComponentImplementation } from '@a2ui/web_core/v0_9';
import {
  A2uiBasicButtonElement,
  A2uiBasicTextFieldElement,
  A2uiButton,
  A2uiCheckBox,
  A2uiCheckBoxElement,
  A2uiChoicePicker,
  A2uiChoicePickerElement,
  A2uiDateTimeInput,
  A2uiDateTimeInputElement,
  A2uiSlider,
  A2uiSliderElement,
  A2uiTextField,
} from '@a2ui/web_core/v0_9/basic_catalog';
import { css, type CSSResultGroup } from 'lit';

/**
 * Large enough to be pressed, and not so small that a phone zooms in. The library puts the name of the element before each
 * selector, which it splits at commas.
 */
const SIZES = css`
  button,
  input,
  textarea {
    min-height: var(--control);
    font-size: 1rem;
  }

  input[type='checkbox'],
  input[type='radio'] {
    min-height: 0;
  }

  label:has(> input) {
    min-height: var(--control);
    align-items: center;
  }
`;

/** Returns the styles of an element of the library with ours after them. */
function withSizes(styles: CSSResultGroup): never {
  // The library declares one sheet, and takes a list.
  return [styles, SIZES] as never;
}

class Button extends A2uiBasicButtonElement {
  static override readonly styles = withSizes(A2uiBasicButtonElement.styles);
}

class CheckBox extends A2uiCheckBoxElement {
  static override readonly styles = withSizes(A2uiCheckBoxElement.styles);
}

/**
 * Fields with a name that readers of the screen get: those of the library have a text beside them, which belongs to nothing.
 */
class TextField extends A2uiBasicTextFieldElement {
  static override readonly styles = withSizes(A2uiBasicTextFieldElement.styles);

  override updated(): void {
    const control = this.querySelector('input, textarea');
    name(control, this.controller.props?.label);
    const errors = [...this.querySelectorAll('.error')].map(({ textContent }) => textContent).join(' ');
    if (errors === '') control?.removeAttribute('aria-invalid');
    else control?.setAttribute('aria-invalid', 'true');
    describe(control, errors);
  }
}

class Slider extends A2uiSliderElement {
  override updated(): void {
    name(this.querySelector('input'), this.controller.props?.label);
  }
}

class DateTimeInput extends A2uiDateTimeInputElement {
  static override readonly styles = withSizes(A2uiDateTimeInputElement.styles);

  override updated(): void {
    for (const control of this.querySelectorAll('input')) name(control, this.controller.props?.label);
  }
}

class ChoicePicker extends A2uiChoicePickerElement {
  static override readonly styles = withSizes(A2uiChoicePickerElement.styles);

  override updated(): void {
    const group = this.querySelector('.a2ui-choice-picker');
    group?.setAttribute('role', 'group');
    name(group, this.controller.props?.label);
  }
}

customElements.define('canvas-button', Button);
customElements.define('canvas-check-box', CheckBox);
customElements.define('canvas-text-field', TextField);
customElements.define('canvas-slider', Slider);
customElements.define('canvas-date-time', DateTimeInput);
customElements.define('canvas-choice', ChoicePicker);

/** The fields as parts of a catalogue. */
export const fields: readonly WebComponentImplementation[] = [
  { ...A2uiButton, tagName: 'canvas-button' },
  { ...A2uiCheckBox, tagName: 'canvas-check-box' },
  { ...A2uiTextField, tagName: 'canvas-text-field' },
  { ...A2uiSlider, tagName: 'canvas-slider' },
  { ...A2uiDateTimeInput, tagName: 'canvas-date-time' },
  { ...A2uiChoicePicker, tagName: 'canvas-choice' },
];

function name(element: Element | null, label: unknown): void {
  if (typeof label === 'string' && label !== '') element?.setAttribute('aria-label', label);
  else element?.removeAttribute('aria-label');
}

function describe(element: Element | null, text: string): void {
  if (text === '') element?.removeAttribute('aria-description');
  else element?.setAttribute('aria-description', text);
}
