/** Where the files of a Space are, under a signature that the server renews every few seconds. */
import { facts } from "frame/facts.js";

export class Address {
  #folder = "";
  #signed = "";
  #until = 0;

  /** A frame of the type `files`. */
  take({ folder, signed, seconds }) {
    [this.#folder, this.#signed, this.#until] = [folder, signed, Date.now() + seconds * 1000];
    if (this.cookies) this.#keep(seconds);
  }

  /** Whether the server has let us hear until now. */
  get open() {
    return Date.now() < this.#until;
  }

  /** Whether the files come from this site itself, so that its cookies go along. */
  get cookies() {
    return facts.hlsUrl.startsWith("/");
  }

  /** For whoever can change the address with every signature. */
  url(name) {
    return `${facts.hlsUrl}${this.#signed}/${this.#folder}/${name}`;
  }

  /** For players of the browser's own, which stay with the address that they have: the signature is in a cookie. */
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

  /** A text file; null where there is none yet, or no network. */
  text(name) {
    return this.#fetched(name, (response) => response.text());
  }

  /** The octets of a segment; null where there are none. */
  data(name) {
    return this.#fetched(name, (response) => response.arrayBuffer());
  }

  /** What breaks off is not there. */
  async #fetched(name, read) {
    try {
      const response = await fetch(this.url(name), { credentials: "omit" });
      return response.ok ? await read(response) : null;
    } catch {
      return null;
    }
  }
}
