/* The heater's loop, ten times a second: the PI controller, corrected by the exported policy, and a watchdog.

   Each line on the standard input is a reading: the set point and the temperature, in degrees. Each is answered with
   the command on the standard output, from 0 to 1. Standard error says what failed.

   emx-onnx-cgen compile --large-weight-threshold 0 --model-name policy heater.onnx policy.c
   cc -O2 -o loop loop.c policy.c -lm */
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#define STEP 0.1    /* seconds, as in heater.py; so are the next nine */
#define DELAY 3
#define VOLUME 0.2
#define FLOW 0.1
#define POWER 20.0
#define HEAT 4.19
#define SMOOTHING 0.2
#define COLD 15.0
#define MIDDLE 35.0
#define SCALE 10.0
#define KP 0.08     /* as in pi.py */
#define KI 0.09
#define SHARE 0.3   /* as in corrected.py */
#define WAIT 150    /* milliseconds without a reading after which the watchdog switches the heater off */
#define SLOW 0.02   /* seconds that the policy may take */

void policy(int batch, const float state[restrict batch][9], float action[restrict batch][1]); /* in policy.c */

static double under_way[DELAY]; /* the commands, the newest first */
static double acting;           /* the command before them, which has reached the water since the last reading */
static double before = NAN;     /* the last temperature; without one, nothing is said of how fast the water warms */
static double small_before;     /* the error up to one degree, of the last reading */
static double surprise;         /* how much faster the water warms than the data sheet says, smoothed */
static double integral;

static double within(double value, double low, double high) { return fmin(fmax(value, low), high); }

static double pi(double error) {
    double command = KP * error + KI * (integral + STEP * error);
    if (command > 0 && command < 1)
        integral += STEP * error;
    return within(command, 0, 1);
}

static void compare_with_data_sheet(double temperature) {
    double warming = (COLD - before) * FLOW / VOLUME + POWER * acting / (HEAT * VOLUME); /* degrees per second */
    if (!isnan(before))
        surprise += SMOOTHING * ((temperature - before) / STEP - warming - surprise);
    before = temperature;
}

/* Return the policy's correction, or NaN if it takes too long. */
static double correction(double set_point, double error, double wanted) {
    float state[1][9] = {{error / SCALE, (set_point - MIDDLE) / SCALE, within(error, -1, 1), small_before}};
    float action[1][1] = {{NAN}};
    for (int k = 0; k < DELAY; k++)
        state[0][4 + k] = under_way[k];
    state[0][7] = surprise / SCALE;
    state[0][8] = wanted;
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    policy(1, state, action);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double took = end.tv_sec - start.tv_sec + 1e-9 * (end.tv_nsec - start.tv_nsec);
    return took < SLOW ? action[0][0] : NAN;
}

int main(void) {
    struct pollfd sensor = {.fd = 0, .events = POLLIN};
    char line[100];
    int trusted = 1; /* once the policy has failed, the PI controller is left alone */
    setvbuf(stdin, NULL, _IONBF, 0); /* poll sees what has not been read */
    for (;;) {
        double set_point, temperature, command = 0; /* off, unless a reading says more */
        int late = poll(&sensor, 1, WAIT) == 0;
        if (!late && !fgets(line, sizeof line, stdin))
            return 0;
        if (late) {
            fprintf(stderr, "no reading for %d ms: off\n", WAIT);
            before = NAN;
        } else if (sscanf(line, "%lf %lf", &set_point, &temperature) != 2 || !(temperature > -10 && temperature < 110)) {
            fprintf(stderr, "no temperature: off\n");
            before = NAN;
        } else {
            double error = set_point - temperature;
            compare_with_data_sheet(temperature);
            command = pi(error);
            double change = trusted ? correction(set_point, error, command) : 0;
            if (fabs(change) <= 1.000001) { /* NaN is not */
                command = within(command + SHARE * change, 0, 1);
            } else {
                fprintf(stderr, "the policy failed: the PI controller alone from here on\n");
                trusted = 0;
            }
            small_before = within(error, -1, 1);
        }
        acting = under_way[DELAY - 1];
        for (int k = DELAY - 1; k > 0; k--)
            under_way[k] = under_way[k - 1];
        under_way[0] = command;
        printf("%.9g\n", command);
        fflush(stdout);
    }
}
