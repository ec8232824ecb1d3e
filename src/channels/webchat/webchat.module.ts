// Promises: the web chat at /chat: its page and files to everybody, a sign-in by code, and who a signed-in page is.
// Refuses to know: what is said in it. The page is a client of the gateway like any other.
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/index.js';
import { CoreModule } from '../../core/core.module.js';
import { PageController } from './page.controller.js';
import { PageFiles } from './page-files.js';
import { SignInController } from './sign-in.controller.js';
import { WebchatGateway } from './webchat.gateway.js';

/** The same from the sources and from the build. */
const BUILT_PAGE = join(import.meta.dirname, '../../../dist/web');

/**
 * Who is who in the web chat (protocol.md sections 3 and 9).
 *
 * - In open mode, and with a token of role `operator` or `channel`, the page may speak as any sender. Each of its
 *   conversations is the main session of a sender that the browser made up (`web-...`) and keeps: a conversation is a
 *   sender of its own, since a sender has one main session, and queue sessions are for machines.
 * - A token of role `user` is bound to one sender, so there is one conversation, and the page shows no list. It goes on
 *   in the session that `connected` names, from whatever browser.
 * - A page that was signed in by a code is such a user: `webchat` in every browser, so its owner's conversation follows
 *   from one to the next. A code is worth what the least right is that makes the page work.
 *
 * A page cannot know whom it may speak as: it asks with `webchat.identify`.
 */
@Module({
  imports: [AuthModule, CoreModule],
  controllers: [PageController, SignInController],
  providers: [{ provide: PageFiles, useFactory: () => new PageFiles(BUILT_PAGE) }, WebchatGateway],
})
export class WebchatModule {}
