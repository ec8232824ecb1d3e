import type { UsageSums } from '../store/index.js';
import type { ModelPrice } from './tenants.settings.js';

const PRICED_TOKENS = 1_000_000;

/** Returns what tokens cost; 0 without a price. Cached input costs as other input where it has no price of its own. */
export function costOf(
  price: ModelPrice | undefined,
  { inputTokens, cachedTokens, outputTokens }: Pick<UsageSums, 'inputTokens' | 'cachedTokens' | 'outputTokens'>,
): number {
  if (!price) return 0;
  const { input, output, cached_input: cached = input } = price;
  return ((inputTokens - cachedTokens) * input + cachedTokens * cached + outputTokens * output) / PRICED_TOKENS;
}
