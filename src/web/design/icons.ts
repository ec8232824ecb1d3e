import { noChange } from 'lit';
import { Directive, directive, type DirectiveResult } from 'lit/directive.js';
import {
  ArrowDown,
  ArrowUp,
  Ban,
  Check,
  CheckCheck,
  ChevronRight,
  CircleCheck,
  CircleQuestionMark,
  CircleSlash,
  CircleX,
  Clock,
  ClockFading,
  Copy,
  createElement,
  Download,
  Ellipsis,
  File,
  Hourglass,
  ListOrdered,
  Keyboard,
  LoaderCircle,
  LogOut,
  PanelLeft,
  Mic,
  PanelTop,
  Paperclip,
  Pencil,
  Pin,
  PinOff,
  Printer,
  RotateCcw,
  Search,
  ShieldQuestionMark,
  Square,
  SquarePen,
  Trash,
  TriangleAlert,
  User,
  WifiOff,
  WrapText,
  Wrench,
  X,
  type IconNode,
} from 'lucide';

/** Draws an icon once at each place. It is hidden from screen readers, because the text beside it says the same. */
class Drawing extends Directive {
  #drawn: IconNode | undefined;

  render(icon: IconNode, more: string): unknown {
    if (this.#drawn === icon) return noChange;
    this.#drawn = icon;
    return createElement(icon, { class: `icon ${more}`, 'aria-hidden': 'true', focusable: 'false' });
  }
}

const draw = directive(Drawing);
const icon = (node: IconNode, more = ''): DirectiveResult => draw(node, more);

/** The icons of the page, by meaning. Those with the class `turns` follow the direction of writing. */
export const icons = {
  send: icon(ArrowUp),
  stop: icon(Square, 'solid'),
  create: icon(SquarePen),
  list: icon(PanelLeft, 'turns'),
  search: icon(Search),
  more: icon(Ellipsis),
  rename: icon(Pencil),
  pin: icon(Pin),
  unpin: icon(PinOff),
  save: icon(Download),
  remove: icon(Trash),
  print: icon(Printer),
  keys: icon(Keyboard),
  leave: icon(LogOut, 'turns'),
  attach: icon(Paperclip),
  file: icon(File),
  voice: icon(Mic),
  close: icon(X),
  copy: icon(Copy),
  check: icon(Check),
  down: icon(ArrowDown),
  chevron: icon(ChevronRight, 'turns'),
  tool: icon(Wrench),
  canvas: icon(PanelTop),
  retry: icon(RotateCcw),
  edit: icon(Pencil),
  wrap: icon(WrapText),
  sent: icon(Clock),
  stored: icon(Check),
  answered: icon(CheckCheck),
  inLine: icon(ListOrdered),
  working: icon(LoaderCircle, 'spins'),
  held: icon(Hourglass),
  stale: icon(ClockFading),
  offline: icon(WifiOff),
  person: icon(User),
  done: icon(CircleCheck),
  failed: icon(CircleX),
  denied: icon(Ban),
  asks: icon(ShieldQuestionMark),
  unknown: icon(CircleQuestionMark),
  stopped: icon(CircleSlash),
  warning: icon(TriangleAlert),
};
