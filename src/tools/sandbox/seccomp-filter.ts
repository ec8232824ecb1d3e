/** System call numbers of an architecture, and its id in the kernel's filter data. */
interface Architecture {
  readonly audit: number;
  readonly clone: number;
  readonly refused: readonly number[];
}

/** clone3, the same on all architectures; a filter cannot read its flags. */
const CLONE3 = 435;
/** io_uring_*, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr: the same on all architectures. */
const REFUSED_EVERYWHERE = [425, 426, 427, 428, 429, 430, 431, 432, 433, 442];

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000_003e,
    clone: 56,
    // pivot_root, mount, umount2, add_key, request_key, keyctl, unshare, perf_event_open, setns, bpf, userfaultfd
    refused: [155, 165, 166, 248, 249, 250, 272, 298, 308, 321, 323],
  },
  arm64: {
    audit: 0xc000_00b7,
    clone: 220,
    // umount2, mount, pivot_root, unshare, add_key, request_key, keyctl, perf_event_open, setns, bpf, userfaultfd
    refused: [39, 40, 41, 97, 217, 218, 219, 241, 268, 280, 282],
  },
};

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const NAMESPACE_FLAGS = 0x7e02_0000;
/** System calls of the x32 ABI have this bit set. */
const X32_BIT = 0x4000_0000;

/** Offsets in the kernel's `seccomp_data`. */
const OFFSET = { number: 0, audit: 4, firstArgument: 16 };
const LOAD = 0x20;
const JUMP_IF = { equal: 0x15, atLeast: 0x35, anyBit: 0x45 };
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;

/**
 * Returns a seccomp filter (compiled cBPF for `bwrap --seccomp`) that refuses new namespaces, mounts, keyrings and the
 * kernel's programmable interfaces (bpf, io_uring, perf, userfaultfd), none of which a command needs. Refuses system
 * calls of other ABIs. Returns undefined for an unknown architecture.
 */
export function buildSeccompFilter(architecture: string = process.arch): Buffer | undefined {
  const known = ARCHITECTURES[architecture];
  if (!known) return undefined;
  const refuse = (jump: number, value: number, result: number) => [encode(jump, value, 0, 1), encode(RETURN, result)];
  return Buffer.concat([
    encode(LOAD, OFFSET.audit),
    encode(JUMP_IF.equal, known.audit, 1, 0),
    encode(RETURN, ENOSYS),
    encode(LOAD, OFFSET.number),
    ...refuse(JUMP_IF.atLeast, X32_BIT, ENOSYS),
    // glibc falls back to clone, whose flags can be checked.
    ...refuse(JUMP_IF.equal, CLONE3, ENOSYS),
    ...[...known.refused, ...REFUSED_EVERYWHERE].flatMap((number) => refuse(JUMP_IF.equal, number, EPERM)),
    encode(JUMP_IF.equal, known.clone, 0, 3),
    encode(LOAD, OFFSET.firstArgument),
    ...refuse(JUMP_IF.anyBit, NAMESPACE_FLAGS, EPERM),
    encode(RETURN, ALLOW),
  ]);
}

/** One instruction (`struct sock_filter`); both architectures are little-endian. */
function encode(code: number, value: number, ifTrue = 0, ifFalse = 0): Buffer {
  const instruction = Buffer.alloc(8);
  instruction.writeUInt16LE(code, 0);
  instruction.writeUInt8(ifTrue, 2);
  instruction.writeUInt8(ifFalse, 3);
  instruction.writeUInt32LE(value, 4);
  return instruction;
}
