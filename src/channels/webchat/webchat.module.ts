// Promises: the page for devices at /node, pages that agents drew at /canvas, the console at /console, and the web chat at /chat: its public page and files, a sign-in by code, and the identity of a signed-in page.
// Refuses to know: the content of conversations. The page is a client of the gateway like any other.
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/index.js';
import { CoreModule } from '../../core/core.module.js';
import { CanvasPageController } from './canvas-page.controller.js';
import { ConsolePageController } from './console-page.controller.js';
import { NodePageController } from './node-page.controller.js';
import { PageController, RootController } from './page.controller.js';
import { PageFiles } from './page-files.js';
import { SignInController } from './sign-in.controller.js';
import { WebchatGateway } from './webchat.gateway.js';

/** The same path from the sources and from the build. */
const BUILT_PAGE = join(import.meta.dirname, '../../../dist/web');

/**
 * Identities in the web chat (protocol.md sections 3 and 9).
 * - In open mode, and with a token of role `operator` or `channel`, the page may speak as any sender. Each of its
 * conversations is the main session of a sender that the browser generated (`web-...`) and stores. Each conversation
 * needs its own sender, because a sender has one main session and queue sessions are for machines.
 * - A token of role `user` is bound to one sender, so there is one conversation, and the page shows no list. It
 * continues the session that `connected` names, from any browser.
 * - A page that was signed in by a code is such a user: `webchat` in every browser, so the owner's conversation follows
 * from one to the next. A code grants the least privilege that the page needs.
 *
 * A page cannot know as whom it may speak, so it asks with `webchat.identify`.
 */
@Module({
  imports: [AuthModule, CoreModule],
  controllers: [
    RootController,
    PageController,
    CanvasPageController,
    ConsolePageController,
    NodePageController,
    SignInController,
  ],
  providers: [{ provide: PageFiles, useFactory: () => new PageFiles(BUILT_PAGE) }, WebchatGateway],
})
export class WebchatModule {}
