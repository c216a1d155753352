/** Says for screen readers whether one hears the Space, how late, and one's place in the queue for sound. */
import { announce } from "frame/announcer.js";
import { connection, isLate, waiting } from "rooms/page/connection.js";

const PLACE_EVERY = 10_000;  // ms: a queue that moves fast is not read out step by step

/** Whether one hears the Space, and with what delay. */
export class Hearing {
  #state = "";
  #late = false;

  follow(room) {
    if (!room.inside) [this.#state, this.#late] = ["", false];
    if (room.phase !== "live") return;
    const { state, detail } = connection(room);
    const [before, late] = [this.#state, isLate(room)];
    this.#state = state;
    if (state === "live" && late !== this.#late) this.#announceDelay(late, detail);
    else if (before === "live" && state === "reconnecting") announce(gettext("The sound stopped. Reconnecting."));
    else if (before === "reconnecting" && state === "live") announce(gettext("The sound is back."));
  }

  #announceDelay(late, why) {
    this.#late = late;
    if (late) announce(why || gettext("You now hear the Space a few seconds late."));
    else announce(gettext("You now hear the Space without delay."));
  }
}

/** My place among the people who wait for a place in the sound. */
export class QueuePlace {
  #announced = null;
  #at = 0;

  follow({ state, place }) {
    if (state !== "full") this.#announced = null;
    else if (place !== this.#announced && this.#isTime(place)) this.#announce(place);
  }

  #isTime(place) {
    return !this.#announced || place <= 1 || Date.now() - this.#at > PLACE_EVERY;
  }

  #announce(place) {
    [this.#announced, this.#at] = [place, Date.now()];
    announce(waiting(place));
  }
}
