import type { SurfaceModel } from '@a2ui/web_core/v0_9';

/** An element of a component, as the library makes it. */
interface ComponentElement extends Element {
  readonly context?: {
    readonly componentModel: { readonly properties: Readonly<Record<string, unknown>> };
    readonly dataContext: { readonly path: string };
  };
}

/** Returns where the value of the field with the focus stands in the data; undefined if no field has it. */
export function findFocusedPath(root: Element): readonly string[] | undefined {
  let focused = root.contains(document.activeElement) ? document.activeElement : null;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  for (let element: Element | null = focused; element; element = element.parentElement) {
    const { context } = element as ComponentElement;
    if (!context) continue;
    const { value } = context.componentModel.properties;
    const path = typeof value === 'object' && value !== null ? (value as { readonly path?: unknown }).path : undefined;
    if (typeof path !== 'string') return undefined;
    return `${path.startsWith('/') ? '' : context.dataContext.path}/${path}`.split('/').filter((name) => name !== '');
  }
  return undefined;
}

/** Returns the text of a button; empty if it has none. */
export function readLabel(model: SurfaceModel<never>, componentId: string): string {
  const properties = (id: unknown) =>
    model.componentsModel.get(String(id))?.properties as Readonly<Record<string, unknown>> | undefined;
  const text = properties(properties(componentId)?.['child'])?.['text'];
  if (typeof text === 'string') return text;
  const path = typeof text === 'object' && text !== null ? (text as { readonly path?: unknown }).path : undefined;
  const value: unknown = typeof path === 'string' && path.startsWith('/') ? model.dataModel.get(path) : undefined;
  return typeof value === 'string' ? value : '';
}
