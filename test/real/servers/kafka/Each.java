// Runs a command of Kafka's distribution once for each line of standard input: starting Java each time takes long.
// Usage: Each.java CLASS < LINES; the arguments of a line are separated by tabs.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;

public class Each {
    public static void main(String[] args) throws Exception {
        Method command = Class.forName(args[0]).getMethod("main", String[].class);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine())
            // A command that fails ends the process by itself.
            command.invoke(null, (Object) line.split("\t"));
    }
}
