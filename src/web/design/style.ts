import { noChange } from 'lit';
import { Directive, directive, PartType, type ElementPart, type PartInfo } from 'lit/directive.js';

/** Sets properties of an element's style. The policy of the pages allows no `style` attribute, but it allows this. */
class Style extends Directive {
  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error('`style` is for an element');
  }

  render(_values: Readonly<Record<string, string>>): unknown {
    return noChange;
  }

  override update({ element }: ElementPart, [values]: Parameters<this['render']>): unknown {
    const { style: own } = element as HTMLElement;
    for (const [name, value] of Object.entries(values))
      if (own.getPropertyValue(name) !== value) own.setProperty(name, value);
    return noChange;
  }
}

/** Sets properties of the style of an element, by their names in CSS: `<div ${style({ '--row': '3' })}>`. */
export const style = directive(Style);
