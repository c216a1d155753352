/** The address of the files of a Space, with a signature that the server renews every few seconds. */
import { facts } from "frame/facts.js";

export class SignedAddress {
  #folder = "";
  #signed = "";
  #until = 0;

  /** Takes over a frame of the type `files`. */
  take({ folder, signed, seconds }) {
    [this.#folder, this.#signed, this.#until] = [folder, signed, Date.now() + seconds * 1000];
    if (this.cookies) this.#keep(seconds);
  }

  /** Whether the signature is still valid. */
  get open() {
    return Date.now() < this.#until;
  }

  /** Whether the files come from this site itself, so that the browser sends its cookies. */
  get cookies() {
    return facts.hlsUrl.startsWith("/");
  }

  /** For a loader that can change the address with every signature. */
  url(name) {
    return `${facts.hlsUrl}${this.#signed}/${this.#folder}/${name}`;
  }

  /** For the browser's own player, which keeps its address: the signature is in a cookie. */
  own(name) {
    return this.#path + name;
  }

  get #path() {
    return `${facts.hlsUrl}own/${this.#folder}/`;
  }

  #keep(seconds) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `hls=${this.#signed}; path=${this.#path}; max-age=${seconds}; samesite=strict${secure}`;
  }

  /** A promise of the text of a file; of null if there is none yet, or no network. */
  text(name) {
    return this.#fetched(name, (response) => response.text());
  }

  /** A promise of the bytes of a segment; of null if there are none. */
  data(name) {
    return this.#fetched(name, (response) => response.arrayBuffer());
  }

  /** A download that breaks off counts as a missing file. */
  async #fetched(name, read) {
    try {
      const response = await fetch(this.url(name), { credentials: "omit" });
      return response.ok ? await read(response) : null;
    } catch {
      return null;
    }
  }
}
