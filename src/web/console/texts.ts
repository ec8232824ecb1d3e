/** Every text that the parts of the console share. The texts of a page stand beside it. */
export const consoleTexts = {
  title: (page: string) => `${page} · OpenClaw`,
  productName: 'OpenClaw',
  navigation: 'Pages',
  closed: {
    allTenants: 'Only for operators of all tenants',
    needs: (scope: string) => `Needs ${scope}`,
    explanation: 'Your sign-in does not have that. Whoever gave it to you can give you another.',
  },
  openNavigation: 'Pages',
  skip: 'Skip to the page',
  jump: 'Jump to…',
  jumpKey: 'Ctrl K',
  loadingPage: 'Loading…',
  pageFailed: 'This page could not be loaded.',
  partMissing: 'A part of this page could not be loaded. Reload it when the connection is back.',
  signOut: 'Sign out',
  chat: 'Open the chat',
  more: 'More',
  zoneSwitch: (zone: string) => `Times in ${zone}. Switch the zone`,
  density: { compact: 'Compact rows', normal: 'Normal rows' },
  noNeighbour: 'There is no further row.',
  copied: (what: string) => `Copied ${what}`,
  copyId: (id: string) => `Copy ${id}`,

  tenant: { label: 'Tenant', all: 'All tenants' },

  live: {
    connecting: 'Connecting…',
    live: 'Live',
    paused: 'Paused',
    reconnecting: (clock: string) => `Reconnecting, data from ${clock}`,
    off: 'Not live: needs admin:read',
    ended: 'Not live: signed out',
    pause: 'Pause live changes',
    resume: 'Go on with live changes',
  },

  signIn: {
    user: 'This sign-in is for the chat. The console needs the token of an operator.',
    unreachable: 'The gateway cannot be reached. It is tried again when you press the button.',
    trying: 'Signing in…',
  },

  list: {
    loading: 'Loading…',
    failed: (sentence: string) => `The list could not be read: ${sentence}`,
    tryAgain: 'Try again',
    noMatch: (filters: string) => `Nothing matches ${filters}.`,
    clear: 'Clear filters',
    fresh: (count: number) => `${count} new`,
    checked: 'Selected',
    select: (name: string) => `Select ${name}`,
    remove: (filter: string) => `Remove the filter ${filter}`,
    gone: 'gone',
  },

  act: {
    needs: (scope: string) => `needs ${scope}`,
    audit: (name: string) => `Written to the audit as ${name}.`,
    undo: 'Undo',
    cancel: 'Cancel',
    typeToConfirm: (word: string) => `Type ${word} to go on`,
  },

  failure: {
    unreachable: 'The gateway could not be reached.',
    missing: 'It is not here, or not here any more.',
    ended: 'You are signed out.',
    failed: (sentence: string, code: string) => `${sentence} (${code})`,
    unknownFailure: 'The gateway could not do it.',
  },

  missing: {
    heading: 'Not here',
    explanation: 'There is nothing at this address, or it is not yours to see.',
    back: 'To the overview',
  },

  palette: {
    label: 'Jump to a page or an id',
    placeholder: 'A page, or the id of a conversation (s_…) or message (m_…)',
    nothing: 'Nothing is called like that.',
    session: (id: string) => `Conversation ${id}`,
    message: (id: string) => `Message ${id}`,
  },

  keys: {
    heading: 'Keys',
    close: 'Close',
    list: [
      ['Ctrl K', 'Jump to a page or an id'],
      ['Esc', 'Close what is open, or leave the search'],
    ],
    single: [
      ['?', 'This list'],
      ['/', 'Search or filter'],
      ['j  k', 'Next and previous row'],
      ['Enter', 'Open the row'],
      ['x', 'Select the row'],
      ['Shift x', 'Select up to the row'],
      ['[  ]', 'Previous and next row, also of the list that led here'],
      ['r', 'Read again'],
      ['y', 'Copy the id'],
      ['.', 'Actions'],
    ],
    goTo: (title: string) => `Go to ${title}`,
    switchLabel: 'Keys without Ctrl act',
  },
} as const;
