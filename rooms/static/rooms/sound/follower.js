/** Follows the sound of a Space to the media node that has it. */

export class Follower {
  #movedTo = null;    // the boot to which the sound has moved since the last connection began

  /** peers: the connections. state(): of the sound. connect(): makes a new connection at once. */
  constructor({ peers, state, connect }) {
    Object.assign(this, { peers, state, connect });
  }

  /** A new connection begins. It asks for the node of this moment. */
  begin() {
    this.#movedTo = null;
  }

  /** The sound has moved to this boot of a node. A connection to it stays, whatever was under way. */
  renew(boot) {
    this.#movedTo = boot;
    if (this.peers.boot === boot) this.peers.stay();
    this.follow();
  }

  /** A snapshot names the boot. With a connection to another one, and no second connection, we missed the move. */
  placed(boot) {
    const { boot: mine, moves } = this.peers;
    if (boot && mine && mine !== boot && !moves) this.renew(boot);
  }

  /** The sound is moving to a node, step by step. If it is heard, it goes on meanwhile. If not, a new connection to
   *  that node begins at once. */
  moving(frame, onStage) {
    const { boot, moves } = this.peers;
    if (!moves && (boot === undefined || boot === frame.boot)) return;
    if (moves || (boot && this.state() === "live")) this.peers.move(frame, onStage, () => this.renew(frame.boot));
    else this.renew(frame.boot);
  }

  /** Connects again if the sound is on another node. Waits for an offer under way: its answer may come from there. */
  follow() {
    const { boot } = this.peers;
    if (this.state() !== "off" && this.#movedTo && boot !== null && boot !== this.#movedTo) this.connect();
  }
}
