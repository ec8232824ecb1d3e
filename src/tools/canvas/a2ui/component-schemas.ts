import type { ErrorObject, ValidateFunction } from 'ajv';
import catalog from '../schemas/catalog.json' with { type: 'json' };
import commonTypes from '../schemas/common_types.json' with { type: 'json' };
import { CATALOG_ID } from './catalog-id.js';
import { A2uiFault, isRecord } from './fault.js';

/** The name under which the common types refer to the catalogue, which stands beside them in their package. */
const CATALOG_ALIAS = 'https://a2ui.org/specification/v0_9/catalog.json';

const NAMES = Object.keys(catalog.components);

/** The schema of each component, and of the theme, compiled on first use. */
export class ComponentSchemas {
  /** @param find returns the schema at a place of the catalogue */
  constructor(private readonly find: (key: string) => ValidateFunction | undefined) {}

  /** Checks a component. @throws A2uiFault with the one fault that says most */
  checkComponent(component: Readonly<Record<string, unknown>>, path: string): void {
    const { component: name } = component;
    if (typeof name !== 'string' || !NAMES.includes(name))
      throw new A2uiFault(`${path}/component`, `must be one of ${NAMES.join(', ')}`);
    this.check(`components/${name}`, component, path, name);
  }

  checkTheme(theme: unknown, path: string): void {
    this.check('$defs/theme', theme, path, 'the theme');
  }

  private check(key: string, value: unknown, path: string, owner: string): void {
    const validate = this.find(key);
    if (!validate) throw new Error(`the catalogue has no ${key}`);
    if (validate(value)) return;
    const [pointer, reason] = explain(validate.errors ?? [], owner);
    throw new A2uiFault(`${path}${pointer}`, reason);
  }
}

export async function loadComponentSchemas(): Promise<ComponentSchemas> {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false, allErrors: true });
  ajv.addSchema(commonTypes);
  ajv.addSchema(catalog);
  ajv.addSchema({ ...catalog, $id: CATALOG_ALIAS });
  return new ComponentSchemas((key) => ajv.getSchema(`${CATALOG_ID}#/${key}`));
}

/** Chooses, of the errors of one value, the one deepest in it, and says it in words. */
function explain(errors: readonly ErrorObject[], owner: string): readonly [pointer: string, reason: string] {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split('/').length;
  const deepest = Math.max(...errors.map(depth));
  const candidates = errors.filter((error) => depth(error) === deepest);
  const named = candidates.find(
    ({ keyword }) => keyword === 'unevaluatedProperties' || keyword === 'additionalProperties',
  );
  const [first] = candidates;
  const missing = candidates.find(({ keyword }) => keyword === 'required');
  const listed = candidates.find(({ keyword }) => keyword === 'enum');
  const isDynamic = candidates.some(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf');
  if (isDynamic && first)
    return [first.instancePath, 'has a form that it does not take: a value, {"path": POINTER} or {"call": FUNCTION}'];
  if (missing) return [`${missing.instancePath}/${String(read(missing, 'missingProperty'))}`, `is missing in ${owner}`];
  if (named) {
    const property = read(named, 'unevaluatedProperty') ?? read(named, 'additionalProperty');
    return [`${named.instancePath}/${String(property)}`, `is not known for ${owner}`];
  }
  const allowed = listed && read(listed, 'allowedValues');
  if (listed && Array.isArray(allowed))
    return [listed.instancePath, `must be one of ${allowed.map(String).join(', ')}`];
  return [first?.instancePath ?? '', first?.message ?? 'does not fit'];
}

function read({ params }: ErrorObject, key: string): unknown {
  return isRecord(params) ? params[key] : undefined;
}
