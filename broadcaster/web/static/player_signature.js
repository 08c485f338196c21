// Ed25519 signatures of feeds, by the browser's own WebCrypto.

const FORM = /^ed25519=([0-9A-Za-z+/]{86}==);key=([0-9a-f]{16})$/;

const bytesOf = (base64) => Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The pinned key, ready to verify; null where this browser knows no Ed25519. Throws for what is no key. */
export async function verifier(base64) {
  const raw = bytesOf(base64);
  if (raw.length !== 32) throw new TypeError("a key of 32 bytes is expected");
  if (!globalThis.crypto?.subtle) return null; // not on https
  const name = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", raw))).slice(0, 16);
  try {
    return { name, key: await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]) };
  } catch (error) {
    if (error.name === "NotSupportedError") return null;
    throw error;
  }
}

/** Whether X-Feed-Signature says that the pinned key signed these very bytes. */
export async function isAuthentic(bytes, said, { name, key }) {
  const [, signature, signer] = FORM.exec(said ?? "") ?? [];
  if (signer !== name) return false;
  return crypto.subtle.verify("Ed25519", key, bytesOf(signature), bytes);
}
