import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './faults.js';
import { isLoopbackHost } from '../http/addresses.js';
import { suggest } from '../core/config/suggest.js';
import type { Terminal } from './terminal.js';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Options shared by every command that connects to a running gateway. */
export const GATEWAY_OPTIONS = { url: { type: 'string' }, json: { type: 'boolean' } } as const;

/** The option of commands whose things belong to tenants. */
export const TENANT_OPTION = { tenant: { type: 'string' } } as const;

const DEFAULT_URL = 'http://127.0.0.1:18789';

/**
 * Reads the arguments of `command`.
 * @throws UsageError for an unknown flag, a missing value, or arguments that the command does not take
 */
export function readOptions<const O extends Options>(
  command: string,
  args: readonly string[],
  options: O,
  takesText = false,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: takesText, strict: true });
  } catch (error) {
    throw new UsageError(describe(error as NodeJS.ErrnoException, options), command);
  }
}

function describe(error: NodeJS.ErrnoException, options: Options): string {
  const flag = /'(--?[^\s',]+)/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION': {
      if (flag === '--token') return 'A token cannot be an argument, where others can read it: set OPENCLAW_TOKEN';
      const meant = suggest(flag.replace(/^-+/, ''), Object.keys(options));
      return `Unknown option ${flag}${meant === undefined ? '' : `; did you mean --${meant}?`}`;
    }
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return `Unexpected argument ${/'([^']*)'/.exec(error.message)?.[1] ?? ''}`;
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      return error.message.includes('does not take') ? `${flag} takes no value` : `${flag} needs a value`;
    default:
      return error.message;
  }
}

/** The address of a gateway, and the credential for it. */
export interface GatewayTarget {
  /** Without a slash at its end: `http://127.0.0.1:18789`, or behind a proxy `https://host/gateway`. */
  readonly url: string;
  readonly token: string | undefined;
  /** The one tenant that requests are about; undefined for all that the credential sees. */
  readonly tenant?: string | undefined;
  /** Where the token is from, for messages. */
  readonly source: 'OPENCLAW_TOKEN' | 'the file local.token';
}

/**
 * Returns the gateway at `--url`, else `OPENCLAW_URL`, with the credential in `OPENCLAW_TOKEN`, else for a gateway on this
 * machine its local token.
 * @param tenant of `--tenant`, for operators of all
 * @throws UsageError when the URL is malformed, or contains more than an address and a path
 */
export function readTarget(
  command: string,
  url: string | undefined,
  { env, readLocalToken }: Pick<Terminal, 'env' | 'readLocalToken'>,
  tenant?: string,
): GatewayTarget {
  const source = url ?? (env['OPENCLAW_URL'] || DEFAULT_URL);
  if (!URL.canParse(source)) throw new UsageError(`${source} is not a URL; an example is ${DEFAULT_URL}`, command);
  const parsed = new URL(source);
  if (!/^(https?|wss?):$/.test(parsed.protocol))
    throw new UsageError(`The URL must begin with http:// or https://, not ${parsed.protocol}`, command);
  if (parsed.username || parsed.password || parsed.search) {
    throw new UsageError('The URL must not contain a credential: set OPENCLAW_TOKEN', command);
  }
  const path = parsed.pathname.replace(/\/+$/, '');
  const given = env['OPENCLAW_TOKEN'] || undefined;
  const isNear = isLoopbackHost(parsed.hostname.replace(/^\[|\]$/g, ''));
  return {
    url: `${parsed.protocol.replace('ws', 'http')}//${parsed.host}${path}`,
    token: given ?? (isNear ? readLocalToken() : undefined),
    source: given === undefined ? 'the file local.token' : 'OPENCLAW_TOKEN',
    ...(tenant !== undefined && { tenant }),
  };
}

/** Options of commands that print a list. */
export const LIST_OPTIONS = { ...GATEWAY_OPTIONS, limit: { type: 'string' } } as const;

/** Reads `--limit`. @throws UsageError if it is not a number from 1 to 10,000 */
export function readLimit(command: string, limit: string | undefined): number | undefined {
  if (limit === undefined) return undefined;
  if (/^[1-9]\d{0,4}$/.test(limit) && Number(limit) <= MAX_LIST_LENGTH) return Number(limit);
  throw new UsageError(`--limit must be a number from 1 to ${MAX_LIST_LENGTH}`, command);
}

/** Maximum number of items that a command prints. */
const MAX_LIST_LENGTH = 10_000;

/** Checks the value of an option that has one of a few. @throws UsageError for another one */
export function checkChoice(
  command: string,
  flag: string,
  value: string | undefined,
  choices: readonly string[],
): void {
  if (value !== undefined && !choices.includes(value))
    throw new UsageError(`${flag} must be one of ${choices.join(', ')}, not ${value}`, command);
}
