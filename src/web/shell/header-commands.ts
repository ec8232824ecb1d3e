import { icons } from '../design/icons.js';
import type { MenuItem } from '../design/menu.js';
import type { Chat } from '../model/chat.js';
import { texts } from '../texts.js';
import type { ConversationMenu } from './conversation-menu.js';

/** The targets of the commands in the header's menu. */
export interface HeaderCommands {
  readonly chat: Chat;
  readonly hasList: boolean;
  readonly menu: ConversationMenu;
  print(): void;
  showKeys(): void;
  signOut(): void;
}

/** Returns the commands for the shown conversation and for the page. */
export function listHeaderCommands({
  chat,
  hasList,
  menu,
  print,
  showKeys,
  signOut,
}: HeaderCommands): readonly MenuItem[] {
  const { active, leaving } = chat;
  const labels = texts.conversations.menu;
  const open = active?.transcript.messages.filter(({ phase }) => phase === 'open' || phase === 'unsent') ?? [];
  const items: MenuItem[] = [];
  if (open.length > 0) items.push({ icon: icons.stopped, label: labels.stopAll, act: () => chat.stopAll() });
  if (active && !active.isEmpty) {
    items.push(...(hasList ? menu.list(chat, active) : menu.listTexts(chat, active)), {
      icon: icons.print,
      label: labels.print,
      act: () => void menu.withAll(chat, active, print),
    });
  }
  items.push({ icon: icons.keys, label: texts.keys.show, key: '?', act: showKeys });
  if (leaving.canLeave) items.push({ icon: icons.leave, label: texts.signIn.signOut, act: signOut });
  return items;
}
