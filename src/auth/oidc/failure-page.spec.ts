import { expect, it } from 'vitest';
import { ProviderDownError } from '../credential-verifier.js';
import { describeOutage, renderFailure } from './failure-page.js';

const render = (says: string) => renderFailure(says, 'https://chat.example', '/chat');

it.each([false, true])('[I-05] an outage of the provider is described without its reason (a fault: %s)', (isFault) => {
  const outage = new ProviderDownError(
    'https://idp.internal/keys and 10.0.0.7:8443 have responded with HTTP 500',
    isFault,
  );
  expect(render(describeOutage(outage))).not.toMatch(/idp\.internal|10\.0\.0\.7|HTTP 500/);
});

it('[I-14] the page names no addresses of the provider, and links to the gateway', () => {
  const page = render('iss is "https://idp.internal/a?b=c", wanted "HTTP://IDP.INTERNAL:8443". Please call.');
  expect(page).not.toMatch(/idp\.internal/i);
  expect(page).toContain('<p>iss is &#34;(an address)&#34;, wanted &#34;(an address)&#34;. Please call.</p>');
  expect(page).toContain('href="https://chat.example/auth/login?return_to=/chat"');
});
